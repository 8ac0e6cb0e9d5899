// A live transcription with Vercel's AI SDK: the text as it comes, and all of it.
import { readFileSync } from "node:fs";

import { createOpenAI } from "@ai-sdk/openai";
import { experimental_streamTranscribe as streamTranscribe } from "ai";

import { job, noting, report } from "./job.mjs";

// The warnings are in the result; they need not be printed, too.
globalThis.AI_SDK_LOG_WARNINGS = false;

const { baseURL, apiKey } = job;
const provider = createOpenAI({ baseURL, apiKey, fetch: noting });
const piece = 4800;

function pieces(audio) {
  return new ReadableStream({
    start(controller) {
      for (let start = 0; start < audio.length; start += piece) {
        controller.enqueue(new Uint8Array(audio.subarray(start, start + piece)));
      }
      controller.close();
    },
  });
}

async function call() {
  const result = streamTranscribe({
    model: provider.transcription(job.model),
    audio: pieces(readFileSync(job.path)),
    inputAudioFormat: { type: "audio/pcm", rate: 24000 },
    ...job.options,
  });
  const deltas = [];
  for await (const part of result.fullStream) {
    if (part.type === "error") throw part.error;
    if (part.type === "transcript-delta") deltas.push(part.delta);
  }
  return { value: { deltas, text: await result.text, warnings: await result.warnings } };
}

await report(call, () => ({}));
