"""A shop small enough to be built and tested in seconds: two servers, and suites whose end a file decides."""

from pathlib import Path

from tests.integration.stack.support_build import Sources
from tests.integration.stack.support_docker import base_image

COMPOSE = """
name: ${STACK_NAME:-mini}
x-service: &service
  build: &build {args: {BASE_NGINX: "${BASE_NGINX}", RELEASE_ID: "${RELEASE_ID:-local}"}}
  labels: {pawpaw.port: "8080", pawpaw.ready: /ready, pawpaw.smoke: /page, pawpaw.test: "TEST"}
  user: "101:101"
  read_only: true
  tmpfs: ["/tmp:mode=1777"]
services:
  backend:
    <<: *service
    image: ${BACKEND_IMAGE:-mini-backend:local}
    build: {<<: *build, context: ./backend}
    environment: {PASSWORD: "${DB_PASSWORD:?is required}"}
    depends_on: {migrate: {condition: service_completed_successfully}}
    deploy: {replicas: 2}
  migrate:
    image: ${BACKEND_IMAGE:-mini-backend:local}
    restart: "no"
    entrypoint: ["sh", "/migrate"]
    environment: {PASSWORD: "${DB_PASSWORD:?is required}"}
    labels: {pawpaw.test: "TEST"}
    healthcheck: {disable: true}
  frontend:
    <<: *service
    image: ${FRONTEND_IMAGE:-mini-frontend:local}
    build: {<<: *build, context: ./frontend}
"""
DOCKERFILE = """ARG BASE_NGINX
FROM ${BASE_NGINX} AS dev
LABEL pawpaw.test=TEST
WORKDIR /app
COPY npx npm /usr/local/bin/
COPY . .

FROM ${BASE_NGINX}
LABEL pawpaw.test=TEST
COPY nginx.conf migrate /
HEALTHCHECK --interval=1s --timeout=2s --retries=3 CMD ["sh", "-c", "test -e /tmp/nginx.pid"]
ARG RELEASE_ID=none
ENV RELEASE_ID=${RELEASE_ID}
ENTRYPOINT ["nginx", "-e", "stderr", "-c", "/nginx.conf"]
"""
SERVERS = """ARG DEV_IMAGE
FROM ${DEV_IMAGE}
RUN touch /servers
"""
NGINX = """daemon off; pid /tmp/nginx.pid; error_log stderr; events {}
http {
  access_log off; client_body_temp_path /tmp/a; proxy_temp_path /tmp/b; fastcgi_temp_path /tmp/c;
  uwsgi_temp_path /tmp/d; scgi_temp_path /tmp/e;
  server { listen 8080; location / { return 200 "ok"; } }
}
"""
NPM = """#!/bin/sh
exit 0
"""
NPX = """#!/bin/sh
for word in "$@"; do case $word in --outputFile.junit=*) results=${word#*=} ;; esac; done
echo '<testsuites><testsuite><testcase name="pays"/></testsuite></testsuites>' >"$results"
"""


class ShopDouble(Sources):
    """The shop's layout, with a web server for each of its two services."""

    def lay_out(self) -> None:
        """Write the files."""
        self.env["BASE_NGINX"] = base_image("BASE_NGINX")
        for part in ("backend", "frontend"):
            self.write(f"{part}/Dockerfile", DOCKERFILE)
            self.write(f"{part}/nginx.conf", NGINX)
            self.write(f"{part}/migrate", 'test -n "$PASSWORD"\n')
            self.write(f"{part}/npm", NPM)
            self.write(f"{part}/npx", NPX)
            self.write(f"{part}/tests/page.test.ts", "")
        self.write("backend/test/Dockerfile", SERVERS)
        self.write("docker-compose.prod.yml", COMPOSE)

    def write(self, name: str, text: str) -> None:
        """Write one file of the sources."""
        path: Path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("TEST", self.name))
        path.chmod(0o755)
