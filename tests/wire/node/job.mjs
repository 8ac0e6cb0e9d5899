// What the clients here share: the job, as JSON on stdin, and what came of it, as JSON on stdout.
import { readFileSync } from "node:fs";

export const job = JSON.parse(readFileSync(0, "utf8"));

const requests = [];

function sent(body) {
  const fields = body instanceof FormData ? [...body.keys()] : [];
  return { streamed: body instanceof ReadableStream, fields };
}

// Node's fetch, which notes every request: one that is tried again is there twice.
export async function noting(url, options) {
  requests.push(sent(options.body));
  return fetch(url, options);
}
// Else OpenAI's SDK finds out with a request of its own whether fetch knows FormData.
noting.Response = Response;

// Print what `work` gives or, if it throws, what `detailsOf` finds in the error.
export async function report(work, detailsOf) {
  let outcome;
  try {
    outcome = await work();
  } catch (error) {
    const { constructor, message } = error;
    outcome = { error: { name: constructor.name, message, ...detailsOf(error) } };
  }
  console.log(JSON.stringify({ ...outcome, requests }));
}
