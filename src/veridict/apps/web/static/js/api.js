// The API: JSON in, JSON out, and every failure as one kind of error with its remedy.

const KEY = "veridict.token";
const AGAIN_MS = 400;

export class ApiError extends Error {
  constructor(status, body) {
    super(body.message);
    this.status = status;
    this.remedy = body.remedy ?? "";
    this.facts = body.facts ?? {};
  }
}

export const token = {
  get: () => sessionStorage.getItem(KEY) ?? "",
  set: (value) => sessionStorage.setItem(KEY, value.trim()),
  forget: () => sessionStorage.removeItem(KEY),
  /** A link ending in #token=… hands it over; it is taken out of the address at once. */
  adopt() {
    const given = /^#token=([\w.~-]+)$/.exec(location.hash);
    if (!given) return;
    this.set(given[1]);
    history.replaceState(null, "", "#/live");
  },
};

export const get = async (path) => (await ask(path)).json();
export const getText = async (path) => (await ask(path)).text();
export const getBlob = async (path) => (await ask(path)).blob();

export async function post(path, body) {
  const headers = { "content-type": "application/json", authorization: `Bearer ${token.get()}` };
  return (await ask(path, { method: "POST", headers, body: JSON.stringify(body) })).json();
}

/** What only reads is asked once more where the line broke: a laptop changes its network. */
async function fetched(path, options) {
  try {
    return await fetch(path, options);
  } catch (error) {
    if (options.method) throw error;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return fetch(path, options);
  }
}

async function ask(path, options = {}) {
  let reply;
  try {
    reply = await fetched(path, options);
  } catch {
    throw new ApiError(0, {
      message: "The node does not answer.",
      remedy: "See that it runs (veridict up), then try again.",
    });
  }
  if (reply.ok) return reply;
  const body = await reply.json().catch(() => ({ message: `The node answered ${reply.status}.` }));
  throw new ApiError(reply.status, body);
}
