/** What is done beside bundling: a budget for the first load, emoji data, the service worker, compressed twins. */

import type { Plugin, ResolvedConfig } from "vite";
import { BUDGETS, judge, weigh } from "./budget.ts";
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
      for (const budget of BUDGETS) {
        const { table, isTooMuch } = judge(weigh(chunks, budget.begins), budget);
        config.logger.info(table);
        if (isTooMuch) this.error(`too heavy; load later what is not needed at once\n${table}`);
      }
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
