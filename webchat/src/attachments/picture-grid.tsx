/** Pictures of one message: one as it is, several as a grid. Their places are as big as they before they have come. */

import type { Attachment } from "@amtrio/client";
import { ImageOff } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button } from "../design/button.tsx";
import { classes } from "../design/classes.ts";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { isSealed } from "../engine/sealed-files.ts";
import { useWords } from "../i18n/words.ts";
import { download, useFileUrl } from "./file-url.ts";
import styles from "./picture-grid.module.css";
import { words } from "./words.ts";

const Lightbox = lazy(() => import("./lightbox.tsx"));

// CSS pixels: what one picture may take of a bubble.
const MAX_WIDTH = 360;
const MAX_HEIGHT = 320;

export function PictureGrid({ pictures }: { readonly pictures: readonly Attachment[] }) {
  const t = useWords(words);
  const [open, setOpen] = useState<number>();
  const isAlone = pictures.length === 1;
  return (
    <>
      <ul
        className={classes(styles["grid"], isAlone && styles["alone"])}
        data-columns={pictures.length === 2 || pictures.length === 4 ? 2 : 3}
        aria-label={t("pictures")}
      >
        {pictures.map((each, index) => (
          <li key={each.attachment_id}>
            <Picture picture={each} isAlone={isAlone} onOpen={() => setOpen(index)} />
          </li>
        ))}
      </ul>
      {open !== undefined && (
        <Suspense>
          <Lightbox pictures={pictures} start={open} onClose={() => setOpen(undefined)} />
        </Suspense>
      )}
    </>
  );
}

interface PictureProps {
  readonly picture: Attachment;
  readonly isAlone: boolean;
  readonly onOpen: () => void;
}

function Picture({ picture, isAlone, onOpen }: PictureProps) {
  const t = useWords(words);
  const actions = useActions();
  const { url, isBroken, why, fail, retry } = useFileUrl(picture, "thumbnail");
  const name = picture.filename;
  const place = isAlone ? placeOf(picture) : undefined;
  if (isBroken) {
    return (
      <div className={classes(styles["picture"], styles["broken"])} style={place}>
        <ImageOff size={24} aria-hidden />
        <span>{t(why, { name })}</span>
        <Button look="quiet" onClick={retry}>
          {t("tryAgain")}
        </Button>
        {isSealed(picture) && why === "unavailable" && (
          // Nobody has looked into it before: it may be no picture at all.
          <Button look="quiet" onClick={() => void download(actions, picture).catch(notifyError)}>
            {t("download", { name })}
          </Button>
        )}
      </div>
    );
  }
  return (
    <button type="button" className={styles["picture"]} style={place} aria-label={t("open", { name })} onClick={onOpen}>
      {url !== undefined && <img src={url} alt="" onError={fail} draggable={false} />}
    </button>
  );
}

/** Small ones are not blown up. */
function placeOf({ width, height }: Attachment): { inlineSize: number; aspectRatio: string } {
  if (!width || !height) return { inlineSize: 240, aspectRatio: "1" };
  const scale = Math.min(1, MAX_WIDTH / width, MAX_HEIGHT / height);
  return { inlineSize: Math.max(64, Math.round(width * scale)), aspectRatio: `${width} / ${height}` };
}
