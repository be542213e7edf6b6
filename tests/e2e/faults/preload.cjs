// Loaded before the server in the images of fault_images.py: routes that take long, and at most one fault.
'use strict';
const http = require('node:http');

const { FAULT: fault = '', FAULT_S: fault_s = '3', RELEASE_ID: release = '' } = process.env;
const afterMs = Number(fault_s) * 1000;
const say = (message) => process.stdout.write(`${JSON.stringify({ message, fault, release })}\n`);

function answer(res, status, body, headers = {}) {
  res.writeHead(status, { 'Content-Type': 'application/json', ...headers }).end(JSON.stringify(body));
  return true;
}

// `id` is said once per execution, so that a request which was carried out twice can be counted.
function slow(_req, res, asked) {
  const ms = Number(asked.get('ms') ?? '1500');
  if (asked.has('id')) process.stdout.write(`${JSON.stringify({ slow: asked.get('id'), release })}\n`);
  setTimeout(() => answer(res, 200, { release, ms }), ms);
  return true;
}

// Events without an end, unbuffered by the gateway: the client that never goes away by itself.
function ticks(_req, res) {
  res.writeHead(200, { 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-store', 'X-Accel-Buffering': 'no' });
  const tick = setInterval(() => res.write(`data: ${release}\n\n`), 200);
  res.on('close', () => clearInterval(tick));
  return true;
}

const routes = { '/api/slow': slow, '/api/ticks': ticks };
const unwell = (_req, res) => answer(res, 503, { status: 'unavailable', release, fault });

const emit = http.Server.prototype.emit;
http.Server.prototype.emit = function (event, req, res) {
  if (event === 'request') {
    const url = new URL(req.url, 'http://localhost');
    if (routes[url.pathname]?.call(this, req, res, url.searchParams)) {
      req.resume();
      return true;
    }
  }
  return emit.apply(this, arguments);
};

// Who comes through the gateway, and not those who prove a release before it may serve.
const isCustomer = (req) => 'x-real-ip' in req.headers;

const leave = () => {
  say('leaving with exit code 1');
  process.exit(1);
};

const faults = {
  '': () => {},
  exits: leave,
  'crash-loops': () => setTimeout(leave, 500),
  unhealthy: () => {
    routes['/health'] = unwell;
  },
  dies: () => {
    let dying = false;
    routes['/health'] = (_req, res) => {
      res.on('finish', () => {
        if (!dying && res.statusCode === 200) setTimeout(leave, afterMs);
        dying ||= res.statusCode === 200;
      });
      return false;
    };
  },
  // Blocks the whole process, as loading a large model or compiling templates would.
  'slow-boot': () => {
    say(`boot takes ${fault_s} s`);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, afterMs);
  },
  'ready-301': () => {
    routes['/ready'] = (_req, res) => answer(res, 301, {}, { Location: '/entrar' });
  },
  'ready-404': () => {
    routes['/ready'] = (_req, res) => answer(res, 404, { error: { code: 'not_found' } });
  },
  'wrong-port': () => {
    process.env.PORT = '4999';
  },
  oom: () => {
    const held = [];
    while (held.length < 96) held.push(Buffer.alloc(16 << 20, 1));
    say('1.5 GB and nobody minds: there is no limit of memory');
    process.exit(99);
  },
  // Whoever takes the lock is the one; it stays taken as long as that replica lives.
  'one-unhealthy': () => {
    routes['/health'] = unwell;
    const { DB_HOST: host, DB_PORT: port, DB_NAME: database, DB_USER: user, DB_PASSWORD: password } = process.env;
    const client = new (require('pg').Client)({ host, port: Number(port), database, user, password });
    client.on('error', (error) => say(error.message));
    client
      .connect()
      .then(() => client.query('SELECT pg_try_advisory_lock(7284014, hashtext($1)) AS chosen', [release]))
      .then(({ rows }) => {
        say(rows[0].chosen ? 'this is the one' : 'this is none');
        if (!rows[0].chosen) delete routes['/health'];
      }, leave);
  },
  // As a first process without a handler: the signal does nothing, and the grace passes.
  deaf: () => {
    process.on('SIGTERM', () => say('SIGTERM: and nothing happens'));
    process.once = (name, handler) => (name === 'SIGTERM' ? process : process.on(name, handler));
  },
  // As a program behind an init and without a handler: requests under way are cut.
  abrupt: () => {
    process.once = (name, handler) => (name === 'SIGTERM' ? process : process.on(name, handler));
  },
  'fails-customers': () => {
    routes['/api/products'] = (req, res) => isCustomer(req) && answer(res, 500, { error: { code: 'broken' }, release });
  },
  'slow-for-customers': () => {
    routes['/api/products'] = function (req, res) {
      if (isCustomer(req)) setTimeout(() => emit.call(this, 'request', req, res), afterMs);
      return isCustomer(req);
    };
  },
  'one-key': () => {
    delete process.env.JWT_PREVIOUS_SECRET;
    delete process.env.JWT_PREVIOUS_KID;
  },
};
faults[fault]();
