/** Pictures over the whole window: enlarge, move, turn the page, save. Its own chunk. */

import type { Attachment } from "@amtrio/client";
import { ChevronLeft, ChevronRight, Download, Maximize, X, ZoomIn, ZoomOut } from "lucide-react";
import { useEffect, useRef, useState, type KeyboardEvent } from "react";
import { useClosedByBack } from "../design/back.ts";
import { Button, IconButton } from "../design/button.tsx";
import { Spinner } from "../design/spinner.tsx";
import { notifyError } from "../design/toast.tsx";
import { useActions } from "../engine/actions.ts";
import { useWords } from "../i18n/words.ts";
import { download, useFileUrl } from "./file-url.ts";
import styles from "./lightbox.module.css";
import { words } from "./words.ts";
import { useZoom, ZOOM_STEP } from "./zoom-gestures.ts";

interface LightboxProps {
  readonly pictures: readonly Attachment[];
  /** Index of the one that is shown first. */
  readonly start: number;
  readonly onClose: () => void;
}

// What one press of an arrow moves an enlarged picture by, in CSS pixels.
const PAN_PX = 80;
// A picture that is pulled down this far could not be seen any more.
const PALE_PX = 600;

export default function Lightbox({ pictures, start, onClose }: LightboxProps) {
  const t = useWords(words);
  const actions = useActions();
  const [index, setIndex] = useState(Math.min(start, pictures.length - 1));
  const dialog = useRef<HTMLDialogElement>(null);
  const stage = useRef<HTMLDivElement>(null);
  const image = useRef<HTMLImageElement>(null);
  const zoom = useZoom(stage, image, turn, onClose);
  const picture = pictures[index]!;
  const isEnlarged = zoom.view.scale > 1;
  useClosedByBack(onClose);

  useEffect(() => {
    const opener = document.activeElement;
    const shown = dialog.current!;
    shown.showModal();
    return () => {
      shown.close();
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);

  function turn(by: -1 | 1): void {
    const to = index + by;
    if (to < 0 || to >= pictures.length) return;
    zoom.reset();
    setIndex(to);
  }

  function press(event: KeyboardEvent): void {
    const arrow = ARROWS[event.key];
    if (arrow !== undefined && isEnlarged) zoom.panBy(-arrow[0] * PAN_PX, -arrow[1] * PAN_PX);
    else if (arrow !== undefined && arrow[0] !== 0) turn(arrow[0]);
    else if (event.key === "+" || event.key === "=") zoom.zoomBy(ZOOM_STEP);
    else if (event.key === "-") zoom.zoomBy(1 / ZOOM_STEP);
    else if (event.key === "0") zoom.reset();
    else return;
    event.preventDefault();
  }

  return (
    <dialog
      ref={dialog}
      className={styles["lightbox"]}
      aria-label={t("lightbox", { at: index + 1, of: pictures.length, name: picture.filename })}
      onKeyDown={press}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
    >
      <div className={styles["inside"]}>
        <header className={styles["bar"]}>
          <p className={styles["name"]}>
            {picture.filename}
            {pictures.length > 1 && (
              <span className={styles["count"]}>{t("position", { at: index + 1, of: pictures.length })}</span>
            )}
          </p>
          <IconButton
            label={t("zoomOut")}
            icon={<ZoomOut size={20} aria-hidden />}
            disabled={!isEnlarged}
            onClick={() => zoom.zoomBy(1 / ZOOM_STEP)}
          />
          <IconButton
            label={t("zoomIn")}
            icon={<ZoomIn size={20} aria-hidden />}
            onClick={() => zoom.zoomBy(ZOOM_STEP)}
          />
          <IconButton
            label={t("wholePicture")}
            icon={<Maximize size={20} aria-hidden />}
            disabled={!isEnlarged}
            onClick={zoom.reset}
          />
          <IconButton
            label={t("download", { name: picture.filename })}
            icon={<Download size={20} aria-hidden />}
            onClick={() => void download(actions, picture).catch(notifyError)}
          />
          <IconButton label={t("close")} icon={<X size={22} aria-hidden />} onClick={onClose} />
        </header>
        <div ref={stage} className={styles["stage"]} data-enlarged={isEnlarged} style={{ opacity: 1 - zoom.pulled / PALE_PX }} {...zoom.handlers}>
          <Shown
            key={picture.attachment_id}
            picture={picture}
            imageRef={image}
            transform={`translate(${zoom.view.x}px, ${zoom.view.y + zoom.pulled}px) scale(${zoom.view.scale})`}
          />
        </div>
        {pictures.length > 1 && (
          <>
            <IconButton
              className={styles["previous"]}
              label={t("previous")}
              icon={<ChevronLeft size={28} aria-hidden />}
              disabled={index === 0}
              onClick={() => turn(-1)}
            />
            <IconButton
              className={styles["next"]}
              label={t("next")}
              icon={<ChevronRight size={28} aria-hidden />}
              disabled={index === pictures.length - 1}
              onClick={() => turn(1)}
            />
          </>
        )}
      </div>
    </dialog>
  );
}

const ARROWS: Readonly<Record<string, readonly [-1 | 0 | 1, -1 | 0 | 1]>> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

interface ShownProps {
  readonly picture: Attachment;
  readonly imageRef: React.RefObject<HTMLImageElement | null>;
  readonly transform: string;
}

function Shown({ picture, imageRef, transform }: ShownProps) {
  const t = useWords(words);
  const { url, isBroken, why, fail, retry } = useFileUrl(picture, "file");
  const [isThere, setIsThere] = useState(false);
  const name = picture.filename;
  if (isBroken) {
    return (
      <div className={styles["broken"]}>
        <p>{t(why, { name })}</p>
        <Button onClick={retry}>{t("tryAgain")}</Button>
      </div>
    );
  }
  return (
    <>
      {!isThere && <Spinner label={t("loading", { name })} />}
      {url !== undefined && (
        <img
          ref={imageRef}
          className={styles["image"]}
          src={url}
          alt={name}
          width={picture.width}
          height={picture.height}
          draggable={false}
          style={{ transform }}
          onLoad={() => setIsThere(true)}
          onError={fail}
        />
      )}
    </>
  );
}
