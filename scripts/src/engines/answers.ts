import { type Service, serviceUrl } from '../compose/stack.ts';

/** Where this machine asks whether a service is ready; undefined when the service publishes no such address. */
export function readyUrl(service: Service): string | undefined {
  const base = serviceUrl(service);
  const health = service.embedded?.healthUrl;
  if (base === undefined || health === undefined || !base.startsWith('http:') || !URL.canParse(health)) {
    return undefined;
  }
  return `${base}${new URL(health).pathname}`;
}

/** How often an address is asked, and how long one round of asking lasts before the caller looks elsewhere. */
const times = { interval: 60, round: 900 };

/** Asks until the address answers with a status from 200 to 299, for about a second. */
export async function answers(url: string): Promise<boolean> {
  const { default: waitOn } = await import('wait-on');
  try {
    await waitOn({
      resources: [url.replace(/^http:/, 'http-get:')],
      interval: times.interval,
      timeout: times.round,
      httpTimeout: times.round,
      proxy: false,
    });
    return true;
  } catch {
    return false;
  }
}
