# Two images (docker-compose.yml): `service` runs the product (the command selects the process); `demo` adds
# the stand-ins for Koha. docker-bake.hcl builds them for publication.
# With a digest if one is pinned (docs/runbook.md, Pin the images).
ARG NODE_IMAGE=node:24-slim

# npm's layers depend on the manifests, not on the sources, and are cached until one of these changes.
# What is built is the same for every platform, and is built on the builder's own.
FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS manifests
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/config/package.json packages/config/
COPY packages/contract/package.json packages/contract/
COPY packages/koha-client/package.json packages/koha-client/
COPY packages/notify/package.json packages/notify/
COPY packages/queue/package.json packages/queue/
COPY packages/runtime/package.json packages/runtime/
COPY packages/set-up/package.json packages/set-up/
COPY packages/patron-rules/package.json packages/patron-rules/
COPY apps/cli/package.json apps/cli/
COPY apps/dashboard/package.json apps/dashboard/
COPY apps/receiver/package.json apps/receiver/
COPY apps/worker/package.json apps/worker/

FROM manifests AS demo-manifests
COPY packages/koha-double/package.json packages/koha-double/

FROM demo-manifests AS demo-modules
RUN npm ci --omit=dev --ignore-scripts --workspace packages/koha-double

# What Koha takes. Its time is that of the release, whatever Perl packs it.
FROM --platform=${BUILDPLATFORM} ${NODE_IMAGE} AS plugin
RUN apt-get update -qq && apt-get install -y -qq --no-install-recommends perl libmodern-perl-perl
WORKDIR /app
COPY LICENSE ./
COPY apps/koha-plugin apps/koha-plugin
RUN perl apps/koha-plugin/package.pl /plugin

# Each process is one file (docs/decisions/0027-one-file-per-process.md); the stand-in runs from its modules.
FROM demo-manifests AS build
RUN npm ci --ignore-scripts
COPY tsconfig.base.json ./
COPY scripts/bundle.mjs scripts/list-licenses.mjs scripts/make-join-files.mjs scripts/render-document.mjs scripts/
COPY docs/koha-setup.md docs/runbook.md docs/
COPY packages packages
COPY apps apps
RUN for app in receiver worker dashboard cli; do (cd "apps/$app" && node ../../scripts/bundle.mjs) || exit 1; done && \
    (cd apps/receiver && node ../../scripts/make-join-files.mjs) && \
    npx tsc --build packages/koha-double && \
    mkdir -p /built/service /built/demo && \
    tar -c apps/*/dist apps/*/bin apps/*/assets apps/*/package.json \
      node_modules/@bull-board/ui/package.json node_modules/@bull-board/ui/dist | tar -xC /built/service && \
    tar -c --exclude='*.map' --exclude=.tsbuildinfo packages/koha-double/dist | tar -xC /built/demo

# Of the base image, what Node needs to run, and nothing else: no shell, no package manager, no npm. Scanners read in
# status.d which packages of Debian these files are from.
FROM ${NODE_IMAGE} AS runtime
RUN set -eu; \
    mkdir -p /empty /runtime/var/lib/dpkg/status.d /runtime/etc; \
    cp /etc/os-release /etc/passwd /etc/group /runtime/etc/; \
    printf 'hosts: files dns\n' >/runtime/etc/nsswitch.conf; \
    node=$(command -v node); \
    cp -L --parents "$node" /runtime; \
    for library in $(ldd "$node" | grep -o '/[^ ]*'); do \
      cp -L --parents "$library" /runtime; \
      package=$(dpkg-query -S "*/${library##*/}" | head -n 1 | cut -d : -f 1); \
      dpkg-query -s "$package" >"/runtime/var/lib/dpkg/status.d/$package"; \
      cp -L --parents "/usr/share/doc/$package/copyright" /runtime; \
    done

FROM scratch AS service
COPY --from=runtime /runtime /
ENV PATH=/usr/local/bin NODE_ENV=production
WORKDIR /app
# A named volume inherits the owner of the directory it is first mounted on, so these must exist and belong to node.
COPY --from=runtime --chown=1000:1000 /empty /var/lib/passport
COPY --from=runtime --chown=1000:1000 /empty /var/lib/passport-of/receiver
COPY --from=runtime --chown=1000:1000 /empty /var/lib/passport-of/worker
COPY --from=runtime --chown=1000:1000 /empty /var/lib/passport-of/dashboard
COPY --from=runtime --chown=1000:1000 /empty /var/lib/passport-of/redis
COPY --from=runtime --chown=1000:1000 /empty /var/lib/passport-of/grafana
COPY --from=runtime --chown=1000:1000 /empty /data
COPY --from=runtime --chown=1000:1000 /empty /grafana
COPY --from=build /built/service ./
COPY --from=plugin /plugin apps/receiver/dist/join/
COPY deploy/docker/keys.mjs deploy/docker/make-keys.mjs deploy/docker/ready.mjs deploy/docker/share-keys.mjs deploy/docker/
USER 1000:1000
CMD ["node", "--enable-source-maps", "apps/receiver/dist/main.js"]
ARG NODE_IMAGE VERSION=0.0.0 REVISION= CREATED=
LABEL org.opencontainers.image.title="Patron Passport" \
      org.opencontainers.image.description="Reciprocal borrowing between libraries that each run their own Koha" \
      org.opencontainers.image.licenses="GPL-3.0-or-later" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}" \
      org.opencontainers.image.base.name="docker.io/library/${NODE_IMAGE}"

FROM service AS demo
COPY --from=demo-modules /app ./
COPY --from=build /built/demo ./
COPY apps/koha-plugin/Koha/Plugin/Org/PatronPassport/openapi.json apps/koha-plugin/Koha/Plugin/Org/PatronPassport/
COPY apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk apps/koha-plugin/Koha/Plugin/Org/PatronPassport/desk
COPY deploy/docker/double.mjs deploy/docker/make-consortium.mjs deploy/docker/
CMD ["node", "deploy/docker/double.mjs", "midland"]
LABEL org.opencontainers.image.title="Patron Passport, demo" \
      org.opencontainers.image.description="Patron Passport with stand-ins for Koha, for trying it"
