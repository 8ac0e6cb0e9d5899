// @ts-check
/** The page at `/`: the server's state, kept up to date; its models; a key, where it asks for one. */

import { address, ask, forgetKey, keepKey, knownKey, readiness, Refusal } from "./api.js";
import { at, offerCopies, showHealth, showModels, showSamples } from "./show.js";

// The probe is cheap and in no log; the state of the engine is asked for more rarely.
const PROBE_MS = 5000;
const PROBES_PER_STATE = 3;

/** @typedef {"asking" | "ready" | "locked" | "busy" | "away" | "failed"} State */
/** @type {Record<State, string>} */
const STATUS = {
  asking: "Asking the server …",
  ready: "Ready",
  locked: "Asks for a key",
  busy: "Not ready",
  away: "Does not answer",
  failed: "Has a problem",
};
/** @type {Partial<Record<State, string>>} */
const PROBLEMS = {
  busy: "The server is not ready: it loads its models, or is about to end.",
  away: "The server does not answer. It may have been stopped, or the network is down.",
};

const input = /** @type {HTMLInputElement} */ (at("key"));
let asksForKey = false;
/** @type {string[]} */
let ids = [];
/** @type {State} */
let state = "asking";

/**
 * @param {State} now
 * @param {string} [problem]
 */
function show(now, problem = PROBLEMS[now] ?? "") {
  say("status", STATUS[now]);
  at("status").dataset.state = now;
  const isOld = problem !== "" && !at("facts").hidden;
  say("problem", problem && `${problem} This page keeps asking.${isOld ? " What it shows is from before." : ""}`);
  at("problem").hidden = !problem;
  state = now;
}

/**
 * A text of a live region, which is read aloud when it is set.
 * @param {string} id
 * @param {string} text
 */
function say(id, text) {
  if (at(id).textContent !== text) at(id).textContent = text;
}

/** Ask for the key, and show nothing that needed one. */
function lock(problem = "") {
  forgetKey();
  at("key-message").textContent = problem;
  at("key-section").hidden = false;
  at("facts").hidden = true;
  input.setAttribute("aria-invalid", String(problem !== ""));
  show("locked");
  if (problem) input.focus();
  if (problem) input.select();
}

/** Show what the server has. The key, if there is one, may be wrong. */
async function load() {
  const models = await ask("/v1/models");
  ids = models.data.map((/** @type {any} */ each) => each.id);
  await refresh();
}

/** Show what the server is doing now. */
async function refresh() {
  const key = knownKey();
  const health = await ask("/health");
  // It may have been forgotten meanwhile.
  if (key !== knownKey()) return;
  // Without a key that it has come to ask for, it tells its status alone.
  if (!health.models) throw new Refusal(401, "");
  showModels(ids, health);
  showHealth(health);
  at("facts").hidden = false;
  at("key-section").hidden = true;
  at("forget").hidden = !key;
  show("ready");
}

/** @param {unknown} error */
function explain(error) {
  if (error instanceof Refusal && error.status === 401) {
    // Of two requests with a wrong key the first has said so.
    if (state === "locked" && !knownKey()) return;
    asksForKey = true;
    showSamples(address, asksForKey);
    lock(knownKey() ? error.message : "");
  } else if (error instanceof Refusal) {
    show(error.status === 503 ? "busy" : "failed", error.message);
  } else {
    show("away");
  }
}

/** @param {number} count of the probes before this one */
async function probe(count) {
  const now = await readiness();
  if (now !== "ready") {
    show(now);
    return;
  }
  const isBack = state !== "ready" && state !== "locked";
  try {
    if (isBack) {
      ({ asks_for_key: asksForKey } = await ask("/page/access.json", ""));
      showSamples(address, asksForKey);
    }
    if (asksForKey && !knownKey()) {
      if (isBack) lock();
    } else if (isBack) {
      await load();
    } else if (count % PROBES_PER_STATE === 0) {
      await refresh();
    }
  } catch (error) {
    explain(error);
  }
}

/** Probe now and again, while somebody looks. */
async function watch() {
  for (let count = 0; ; count += 1) {
    if (document.visibilityState === "visible") await probe(count);
    await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
  }
}

/** @param {SubmitEvent} event */
async function tryKey(event) {
  event.preventDefault();
  const given = input.value.trim();
  if (!given) return;
  const button = /** @type {HTMLButtonElement} */ (at("key-button"));
  button.disabled = true;
  keepKey(given);
  try {
    await load();
    at("key-message").textContent = "";
    input.value = "";
    at("health-title").focus();
  } catch (error) {
    explain(error);
  } finally {
    button.disabled = false;
  }
}

showSamples(address, asksForKey);
offerCopies();
at("key-form").addEventListener("submit", tryKey);
at("forget").addEventListener("click", () => {
  lock();
  input.focus();
});
watch();
