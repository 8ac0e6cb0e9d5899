// @ts-check
/** Requests to the server that this page is from, with the key that was typed into it. */

const STORED_AS = "whisper-bento.key";
const PATIENCE_MS = 10_000;
// What a header can hold, and what keys are made of.
const VISIBLE_ASCII = /^[!-~]+$/;

/** The address of the server, without a slash at its end; a proxy may have given it a path. */
export const address = new URL(".", document.baseURI).href.replace(/\/$/, "");

/** An answer that is an error: its status, and the server's sentence. */
export class Refusal extends Error {
  /**
   * @param {number} status
   * @param {string} message
   */
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

// In memory alone where the browser has no storage for this page.
let key = attempt(() => sessionStorage.getItem(STORED_AS)) ?? "";

/** The key of this tab; empty: there is none. */
export function knownKey() {
  return key;
}

/**
 * Keep a key until the tab is closed.
 * @param {string} given
 */
export function keepKey(given) {
  key = given;
  attempt(() => sessionStorage.setItem(STORED_AS, given));
}

/** Keep no key any more. */
export function forgetKey() {
  key = "";
  attempt(() => sessionStorage.removeItem(STORED_AS));
}

/**
 * The server's answer in JSON to a GET.
 * @param {string} path
 * @param {string} [withKey] the key that is kept, or none where it is ""
 * @returns {Promise<any>}
 * @throws {Refusal} where it is an error
 */
export async function ask(path, withKey = key) {
  if (withKey && !VISIBLE_ASCII.test(withKey)) {
    throw new Refusal(401, "A key has letters, digits and signs of ASCII alone.");
  }
  const answer = await request(path, withKey ? { authorization: `Bearer ${withKey}` } : {});
  const body = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new Refusal(answer.status, body?.error?.message ?? `The server answered with ${answer.status}.`);
  }
  return body;
}

/** Whether the server is ready for work: "ready", "busy" with its start or its end, or "away". */
export async function readiness() {
  try {
    const answer = await request("/readyz", {});
    return answer.ok ? "ready" : "busy";
  } catch {
    return "away";
  }
}

/**
 * @param {string} path
 * @param {Record<string, string>} headers
 */
function request(path, headers) {
  const signal = AbortSignal.timeout(PATIENCE_MS);
  return fetch(address + path, { headers, signal, cache: "no-store", credentials: "omit" });
}

/**
 * What an action gives; null where the browser forbids it.
 * @template T
 * @param {() => T} action
 */
function attempt(action) {
  try {
    return action();
  } catch {
    return null;
  }
}
