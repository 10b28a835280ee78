# One image for all Node processes: which one runs is the command's choice (see docker-compose.yml).
FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc turbo.json tsconfig.base.json tsconfig.json ./
COPY packages packages
COPY apps apps
RUN npm ci --ignore-scripts --loglevel=error && npx tsc --build apps/receiver apps/worker apps/dashboard apps/cli apps/demo && npm prune --omit=dev --ignore-scripts && \
    find packages apps -mindepth 2 -maxdepth 2 \( -name src -o -name test -o -name turbo.json -o -name 'tsconfig*.json' \) -exec rm -rf {} + && \
    find packages apps node_modules -name '*.map' -delete

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
# A named volume takes over the owner of the folder it is first mounted on, so these must be there and be node's.
RUN mkdir -p /var/lib/passport /data && chown node:node /var/lib/passport /data
COPY --from=build /app ./
COPY deploy/docker deploy/docker
USER node
CMD ["node", "apps/receiver/dist/main.js"]
