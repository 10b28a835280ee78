# One image for all Node processes: which one runs is the command's choice (see docker-compose.yml).
# With a digest where one was pinned (docs/runbook.md, Pin the images).
ARG NODE_IMAGE=node:24-slim
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc turbo.json tsconfig.base.json tsconfig.json ./
COPY packages packages
COPY apps apps
RUN npm ci --ignore-scripts --loglevel=error && npx tsc --build apps/receiver apps/worker apps/dashboard apps/cli apps/demo && npm prune --omit=dev --ignore-scripts && \
    find packages apps -mindepth 2 -maxdepth 2 \( -name src -o -name test -o -name turbo.json -o -name 'tsconfig*.json' \) -exec rm -rf {} + && \
    find packages apps node_modules -name '*.map' -delete

FROM ${NODE_IMAGE}
ENV NODE_ENV=production
WORKDIR /app
# A named volume takes over the owner of the folder it is first mounted on, so these must be there and be node's.
RUN mkdir -p /var/lib/passport /var/lib/passport-of/receiver /var/lib/passport-of/worker /var/lib/passport-of/dashboard /var/lib/passport-of/redis /data && \
    chown -R node:node /var/lib/passport /var/lib/passport-of /data
COPY --from=build /app ./
COPY deploy/docker deploy/docker
USER node
CMD ["node", "apps/receiver/dist/main.js"]
