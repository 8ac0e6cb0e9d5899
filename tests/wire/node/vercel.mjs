// One transcription with Vercel's AI SDK.
import { readFileSync } from "node:fs";

import { createOpenAI } from "@ai-sdk/openai";
import { transcribe } from "ai";

import { job, noting, report } from "./job.mjs";

// The warnings are in the result; they need not be printed, too.
globalThis.AI_SDK_LOG_WARNINGS = false;

const openai = createOpenAI({ baseURL: job.baseURL, apiKey: job.apiKey, fetch: noting });

async function call() {
  const model = openai.transcription(job.model);
  const audio = readFileSync(job.path);
  const result = await transcribe({ model, audio, ...job.options });
  const { text, segments, words, language, durationInSeconds, warnings } = result;
  return { value: { text, segments, words, language, durationInSeconds, warnings } };
}

function detailsOf({ statusCode, data, responseHeaders }) {
  return { status: statusCode, ...data?.error, request_id: responseHeaders?.["x-request-id"] };
}

await report(call, detailsOf);
