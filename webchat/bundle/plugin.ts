/** What is done beside bundling: a budget for the first load, emoji data, the service worker, compressed twins. */

import type { Plugin, ResolvedConfig } from "vite";
import { firstLoad, judge } from "./budget.ts";
import { compress } from "./compress.ts";
import { copyEmoji, emojiAt } from "./emoji.ts";
import { buildWorker } from "./worker.ts";

export function webchat(target: string[]): Plugin {
  let config: ResolvedConfig;
  let isWhole = false;
  return {
    name: "amtrio-webchat",
    configResolved(resolved) {
      config = resolved;
    },
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        emojiAt(request.url ?? "").then((found) => {
          if (found === undefined) return next();
          response.setHeader("Content-Type", "application/json");
          response.end(found);
        }, next);
      });
    },
    generateBundle(_options, bundle) {
      const chunks = Object.values(bundle).filter((each) => each.type === "chunk");
      const { table, isTooMuch } = judge(firstLoad(chunks));
      config.logger.info(table);
      if (isTooMuch) this.error(`the first load is too heavy; load later what is not needed to read a chat\n${table}`);
    },
    writeBundle() {
      isWhole = true;
    },
    // After the last file is written, of `public/`, too.
    async closeBundle() {
      if (!isWhole || config.command !== "build") return;
      const folder = config.build.outDir;
      await copyEmoji(folder);
      await buildWorker(config.root, folder, target);
      await compress(folder);
    },
  };
}
