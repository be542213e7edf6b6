// A double of a program that serves Prometheus: answers every GET on PORT with METRICS. A value `3t` is a counter that has grown by
// three in each second since the start.
import { createServer } from 'node:http';

const started = Date.now();
createServer((_request, response) => {
  const seconds = (Date.now() - started) / 1000;
  const grown = process.env.METRICS.replace(/ ([\d.]+)t$/gm, (_match, step) => ` ${Number(step) * seconds}`);
  response.setHeader('Content-Type', 'text/plain; version=0.0.4');
  response.end(`${grown.trim()}\n`);
}).listen(Number(process.env.PORT));
process.on('SIGTERM', () => process.exit(0));
