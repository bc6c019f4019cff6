/** Compressed twins beside the files: the server hands them out as they are, and never compresses anything itself. */

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { brotliCompress, constants, gzip } from "node:zlib";
import { filesIn } from "./folder.ts";

const TEXT = /\.(js|css|html|svg|json|webmanifest|txt)$/;
// Less than a packet saves nobody anything.
const LEAST_SAVED_BYTES = 200;

const toGzip = promisify(gzip);
const toBrotli = promisify(brotliCompress);

export async function compress(folder: string): Promise<void> {
  const names = (await filesIn(folder)).filter((name) => TEXT.test(name));
  await Promise.all(names.map((name) => compressOne(join(folder, name))));
}

async function compressOne(path: string): Promise<void> {
  const plain = await readFile(path);
  const params = {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
  };
  const twins = { gz: await toGzip(plain, { level: constants.Z_BEST_COMPRESSION }), br: await toBrotli(plain, { params }) };
  for (const [ending, body] of Object.entries(twins)) {
    if (body.length + LEAST_SAVED_BYTES < plain.length) await writeFile(`${path}.${ending}`, body);
  }
}
