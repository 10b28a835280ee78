// Health check of a container: 0 when the address answers well.
const url = process.argv[2] ?? `http://127.0.0.1:${process.env.ADMIN_PORT ?? 9464}/readyz`;
const answer = await fetch(url, { signal: AbortSignal.timeout(5_000) }).catch(() => null);
process.exit(answer?.ok ? 0 : 1);
