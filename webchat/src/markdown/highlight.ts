/**
 * Code as a tree of coloured stretches. Loaded when the first code block is shown.
 *
 * Takes the tree from highlight.js by an emitter of our own; its HTML is never made.
 */

import hljs from "highlight.js/lib/core";
import type { Emitter } from "highlight.js";
import bash from "highlight.js/lib/languages/bash";
import c from "highlight.js/lib/languages/c";
import cpp from "highlight.js/lib/languages/cpp";
import csharp from "highlight.js/lib/languages/csharp";
import css from "highlight.js/lib/languages/css";
import diff from "highlight.js/lib/languages/diff";
import dockerfile from "highlight.js/lib/languages/dockerfile";
import go from "highlight.js/lib/languages/go";
import ini from "highlight.js/lib/languages/ini";
import java from "highlight.js/lib/languages/java";
import javascript from "highlight.js/lib/languages/javascript";
import json from "highlight.js/lib/languages/json";
import kotlin from "highlight.js/lib/languages/kotlin";
import markdown from "highlight.js/lib/languages/markdown";
import php from "highlight.js/lib/languages/php";
import python from "highlight.js/lib/languages/python";
import ruby from "highlight.js/lib/languages/ruby";
import rust from "highlight.js/lib/languages/rust";
import sql from "highlight.js/lib/languages/sql";
import swift from "highlight.js/lib/languages/swift";
import typescript from "highlight.js/lib/languages/typescript";
import xml from "highlight.js/lib/languages/xml";
import yaml from "highlight.js/lib/languages/yaml";
import type { Stretch } from "./colours.ts";

const LANGUAGES = {
  bash, c, cpp, csharp, css, diff, dockerfile, go, ini, java, javascript, json, kotlin, markdown, php, python, ruby,
  rust, sql, swift, typescript, xml, yaml,
};

/** Null: a language that is not here. */
export function highlight(code: string, language: string): readonly Stretch[] | null {
  if (hljs.getLanguage(language) === undefined) return null;
  const { _emitter: emitter } = hljs.highlight(code, { language, ignoreIllegals: true });
  return emitter instanceof Tree ? emitter.stretches : null;
}

class Tree implements Emitter {
  readonly stretches: Stretch[] = [];
  readonly #open: Stretch[][] = [this.stretches];

  addText(text: string): void {
    if (text !== "") this.#open.at(-1)!.push(text);
  }

  startScope(name: string): void {
    const inside: Stretch[] = [];
    // `title.function` is a title, for colours.
    this.#open.at(-1)!.push({ scope: name.split(".", 1)[0]!, inside });
    this.#open.push(inside);
  }

  endScope(): void {
    if (this.#open.length > 1) this.#open.pop();
  }

  // highlight.js calls these two by their old names in places.
  openNode(name: string): void {
    this.startScope(name);
  }

  closeNode(): void {
    this.endScope();
  }

  __addSublanguage(other: Emitter): void {
    if (other instanceof Tree) this.#open.at(-1)!.push(...other.stretches);
  }

  finalize(): void {
    this.#open.length = 1;
  }

  toHTML(): string {
    return "";
  }
}

hljs.configure({ __emitter: Tree });
for (const [name, language] of Object.entries(LANGUAGES)) hljs.registerLanguage(name, language);
hljs.registerAliases(["console", "shell", "fish"], { languageName: "bash" });
hljs.registerAliases(["vue", "svelte"], { languageName: "xml" });
hljs.registerAliases(["json5", "jsonl"], { languageName: "json" });
hljs.registerAliases(["scss", "less"], { languageName: "css" });
