// @ts-check
/** The page at `/docs`: Swagger UI over this server's own OpenAPI document. */

import { address, ask, knownKey } from "./api.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Swagger UI's own dark colours, where the system has dark ones. */
function followSystem() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/** @param {any} document_ at /openapi.json */
function draw(document_) {
  // Said here, as only a browser knows by which address it came.
  const spec = { ...document_, servers: [{ url: address }] };
  const viewer = /** @type {any} */ (window).SwaggerUIBundle({
    spec,
    dom_id: "#viewer",
    deepLinking: true,
    // Its default is a service elsewhere, which would be sent the document.
    validatorUrl: null,
    queryConfigEnabled: false,
    persistAuthorization: false,
    displayRequestDuration: true,
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    onComplete: () => {
      if (knownKey()) viewer.preauthorizeApiKey("HTTPBearer", knownKey());
    },
  });
}

async function start() {
  dark.addEventListener("change", followSystem);
  followSystem();
  try {
    draw(await ask("/openapi.json", ""));
  } catch {
    const note = document.getElementById("note");
    if (note) note.textContent = "The server does not answer. Load this page again in a while.";
  }
}

start();
