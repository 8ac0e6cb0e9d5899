// A turn of a realtime session, by the class of OpenAI's SDK that the job names.
import { readFileSync } from "node:fs";

import { job, report } from "./job.mjs";

const { OpenAI } = await import(job.package);
const module = await import(`${job.package}/realtime/${job.module}`);
const Connection = module[job.module === "ws" ? "OpenAIRealtimeWS" : "OpenAIRealtimeWebSocket"];
const client = new OpenAI({ baseURL: job.baseURL, apiKey: job.apiKey });
const piece = 4800;

function speak(connection) {
  connection.send({ type: "session.update", session: job.session });
  const audio = readFileSync(job.path);
  for (let start = 0; start < audio.length; start += piece) {
    const append = audio.subarray(start, start + piece).toString("base64");
    connection.send({ type: "input_audio_buffer.append", audio: append });
  }
  connection.send({ type: "input_audio_buffer.commit" });
}

function turn() {
  const connection = new Connection(job.target, client);
  const types = [];
  return new Promise((resolve, reject) => {
    connection.on("error", reject);
    connection.on("event", (event) => types.push(event.type));
    connection.on("conversation.item.input_audio_transcription.completed", ({ transcript }) => {
      const { protocol } = connection.socket;
      connection.close();
      resolve({ value: { transcript, types, protocol, url: connection.url.href } });
    });
    connection.socket.addEventListener("open", () => speak(connection));
  });
}

await report(turn, ({ error }) => ({ code: error?.code, param: error?.param, type: error?.type }));
