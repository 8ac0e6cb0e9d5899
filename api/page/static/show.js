// @ts-check
/** What the server has answered, as parts of the page. Texts of others are text nodes, never HTML. */

/**
 * The element with that id.
 * @param {string} id
 * @returns {HTMLElement}
 */
export function at(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`there is no #${id}`);
  return found;
}

/**
 * @param {string} name
 * @param {{ class?: string }} attributes
 * @param {...(Node | string)} children
 */
function element(name, attributes, ...children) {
  const made = document.createElement(name);
  if (attributes.class) made.className = attributes.class;
  made.append(...children);
  return made;
}

/**
 * The server's state, from the answer of /health.
 * @param {any} health
 */
export function showHealth(health) {
  const { running, waiting, seconds } = health.queue;
  const facts = {
    Device: health.device,
    "Number format": health.dtype,
    "Being transcribed": String(running),
    Waiting: String(waiting),
    "Audio ahead": duration(seconds),
    Version: health.version,
  };
  const rows = Object.entries(facts).map(([name, value]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, value)),
  );
  at("health").replaceChildren(...rows);
}

/**
 * The models, and the other ids that reach them.
 * @param {string[]} ids of /v1/models
 * @param {any} health
 */
export function showModels(ids, health) {
  const loaded = new Map(health.loaded.map((/** @type {any} */ each) => [each.name, each]));
  const models = health.models.map((/** @type {string} */ name) => {
    const marks = [
      ...(name === health.default_model ? [element("span", { class: "mark" }, "default")] : []),
      element("span", { class: "note" }, use(loaded.get(name))),
    ];
    return element("li", {}, element("code", {}, name), ...marks);
  });
  const others = ids.filter((id) => !health.models.includes(id));
  at("models").replaceChildren(...models);
  at("names").replaceChildren(
    ...others.map((id) => element("li", {}, element("code", {}, id))),
  );
  at("names-section").hidden = others.length === 0;
}

/** @param {any} model of /health, where it is loaded */
function use(model) {
  if (!model) return "loads when it is asked for";
  const busy = model.running ? `${model.running} of ${model.slots} places busy` : "idle";
  return model.waiting ? `${busy}, ${model.waiting} waiting` : busy;
}

/** @param {number} seconds */
function duration(seconds) {
  if (seconds < 120) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 120 ? `${minutes} min` : `${(minutes / 60).toFixed(1)} h`;
}

/**
 * How to use the server from elsewhere. The key itself is nowhere in it.
 * @param {string} address
 * @param {boolean} asksForKey
 */
export function showSamples(address, asksForKey) {
  const header = asksForKey ? ' \\\n  -H "Authorization: Bearer $WHISPER_KEY"' : "";
  at("curl").textContent =
    `curl ${address}/v1/audio/transcriptions${header} \\\n` +
    "  -F model=whisper-1 -F file=@recording.mp3";
  const key = asksForKey ? 'os.environ["WHISPER_KEY"]' : '"unused"';
  at("python").textContent = [
    ...(asksForKey ? ["import os"] : []),
    "from openai import OpenAI",
    "",
    `client = OpenAI(base_url="${address}/v1", api_key=${key})`,
    'with open("recording.mp3", "rb") as file:',
    '    print(client.audio.transcriptions.create(model="whisper-1", file=file).text)',
  ].join("\n");
}

/** Buttons that copy a sample, where the browser lets a page copy: over HTTPS and on this machine. */
export function offerCopies() {
  if (!navigator.clipboard) return;
  for (const button of document.querySelectorAll("button.copy")) {
    if (!(button instanceof HTMLButtonElement)) continue;
    button.hidden = false;
    button.addEventListener("click", () => copy(button));
  }
}

/** @param {HTMLButtonElement} button */
async function copy(button) {
  try {
    await navigator.clipboard.writeText(at(button.dataset.of ?? "").textContent ?? "");
    button.textContent = "Copied";
  } catch {
    button.textContent = "Not allowed";
  }
  setTimeout(() => (button.textContent = "Copy"), 2000);
}
