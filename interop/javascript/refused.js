// Posts a body to a URL again and again and prints the status that it read each time, or the error.
"use strict";

async function main() {
  const [url, contentType, size, times] = process.argv.slice(2);
  for (let i = 0; i < Number(times); i++) {
    // A connection that answered early is closed, so each request has its own.
    const headers = { "content-type": contentType, connection: "close" };
    try {
      const answer = await fetch(url, { method: "POST", headers, body: Buffer.alloc(Number(size)) });
      await answer.arrayBuffer();
      console.log(answer.status);
    } catch (error) {
      console.log(error.cause?.code ?? String(error));
    }
  }
}

main();
