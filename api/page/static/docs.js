// @ts-check
/** The page at `/docs`: Swagger UI over this server's own OpenAPI document. */

import { address, ask, knownKey } from "./api.js";

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Swagger UI's own dark colours, where the system has dark ones. */
function followSystem() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

/**
 * Leave out the examples of fields that need not be sent: Swagger UI would fill all of them in, and
 * send them together, though many exclude each other.
 * @param {any} spec changed in place
 */
function emptyForms(spec) {
  for (const path of Object.values(spec.paths)) {
    for (const operation of Object.values(path)) {
      const form = operation.requestBody?.content["multipart/form-data"]?.schema;
      for (const [name, field] of Object.entries(form?.properties ?? {})) {
        if (form.required.includes(name)) continue;
        delete field.examples;
        field.default ??= "";
      }
    }
  }
}

/**
 * Send no field that was left empty.
 * @param {any} request
 */
function withoutEmpty(request) {
  if (request.body instanceof FormData) {
    for (const [name, value] of [...request.body]) {
      if (value === "") request.body.delete(name);
    }
  }
  return request;
}

/** @param {any} spec of /openapi.json */
function draw(spec) {
  emptyForms(spec);
  // A path that a proxy has given the server is known to browsers alone.
  if (new URL(address).pathname !== "/") spec.servers = [{ url: address }];
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
    requestInterceptor: withoutEmpty,
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
