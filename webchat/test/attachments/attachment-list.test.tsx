import { act, fireEvent, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { AttachmentList } from "../../src/attachments/attachment-list.tsx";
import { attachment, show, stage, type Stage } from "../composer/stage.tsx";

let scene: Stage;
beforeEach(() => {
  scene = stage();
});

const picture = (name: string, width?: number, height?: number) =>
  attachment(name, {
    content_type: "image/jpeg",
    thumbnail_url: `/attachments/${name}/thumbnail`,
    ...(width && height ? { width, height } : {}),
  });

async function showList(...attachments: ReturnType<typeof attachment>[]): Promise<HTMLElement> {
  const { container } = show(scene, <AttachmentList attachments={attachments} />);
  await act(async () => undefined);
  return container;
}

describe("pictures", () => {
  test("a picture has its place before it has come", () => {
    show(scene, <AttachmentList attachments={[picture("garden.jpg", 1200, 800)]} />);
    const { style } = screen.getByRole("button", { name: "Open garden.jpg" });
    expect(style.aspectRatio).toBe("1200 / 800");
    expect(style.inlineSize).toBe("360px");
  });

  test("its thumbnail is asked for, not the whole file", async () => {
    const container = await showList(picture("garden.jpg", 1200, 800));
    expect(container.querySelector("img")?.getAttribute("src")).toBe("blob:thumbnail/att-garden.jpg");
  });

  test("an address that has gone stale is asked for anew once, then it can be retried", async () => {
    let asked = 0;
    const fileUrl = async (): Promise<string> => `blob:try-${++asked}`;
    scene = { ...scene, actions: { ...scene.actions, fileUrl } };
    const container = await showList(picture("garden.jpg", 10, 10));
    const fail = async (): Promise<void> => {
      fireEvent.error(container.querySelector("img")!);
      await act(async () => undefined);
    };
    await fail();
    expect(container.querySelector("img")?.getAttribute("src")).toBe("blob:try-2");
    await fail();
    expect(screen.getByText("garden.jpg cannot be shown")).toBeDefined();
    await userEvent.click(screen.getByRole("button", { name: "Try again" }));
    expect(container.querySelector("img")?.getAttribute("src")).toBe("blob:try-3");
  });

  test("the same picture in another view is not asked for again", async () => {
    const fileUrl = vi.fn(async () => "blob:1");
    scene = { ...scene, actions: { ...scene.actions, fileUrl } };
    await showList(picture("a.jpg"));
    await showList(picture("a.jpg"));
    expect(fileUrl).toHaveBeenCalledTimes(1);
  });
});

describe("encrypted files", () => {
  const sealed = (name: string, type: string, size: number) => ({ ...attachment(name, { content_type: type, size }), thumbnail_url: "", key: "k" });
  const asking = (answer: () => Promise<string>) => {
    const fileUrl = vi.fn<(file: { filename: string }) => Promise<string>>(answer);
    scene = { ...scene, actions: { ...scene.actions, fileUrl } };
    return fileUrl;
  };

  test("large ones are fetched when somebody wants to see them, small ones at once", async () => {
    const fileUrl = asking(async () => "blob:1");
    const container = await showList(sealed("small.png", "image/png", 8_000_000), sealed("large.png", "image/png", 8_000_001), sealed("film.mp4", "video/mp4", 9_000_000));
    expect(fileUrl.mock.calls.map(([file]) => file.filename)).toEqual(["small.png"]);
    await userEvent.click(screen.getByRole("button", { name: "Show large.png" }));
    expect(container.querySelectorAll("img")).toHaveLength(2);
    await userEvent.click(screen.getByRole("button", { name: "Show film.mp4" }));
    expect(container.querySelectorAll("video")).toHaveLength(1);
  });

  test("one that is not what was sent says so", async () => {
    asking(() => Promise.reject(Object.assign(new Error("changed"), { code: "file_tampered" })));
    await showList(sealed("garden.png", "image/png", 9), sealed("birds.wav", "audio/wav", 9), sealed("film.mp4", "video/mp4", 9));
    expect(screen.getAllByText(/was changed on its way, or is not the file that was sent/)).toHaveLength(3);
  });

  test("what turns out to be no picture can still be saved", async () => {
    asking(() => Promise.reject(new Error("no picture")));
    await showList(sealed("garden.png", "image/png", 9));
    expect(screen.getByRole("button", { name: "Download garden.png" })).toBeDefined();
  });

  test("an address of it is the engine's to keep", async () => {
    const fileUrl = asking(async () => "blob:1");
    await showList(sealed("a.png", "image/png", 9));
    await showList(sealed("a.png", "image/png", 9));
    expect(fileUrl).toHaveBeenCalledTimes(2);
  });

  test("the beginning of a text is shown once all of it is opened", async () => {
    const openFile = vi.fn(async () => new Blob(["rhubarb ".repeat(50_000)]));
    scene = { ...scene, actions: { ...scene.actions, openFile } };
    await showList(sealed("notes.txt", "text/plain", 400_000));
    await userEvent.click(screen.getByRole("button", { name: "Look into notes.txt" }));
    expect(await screen.findByText(/^rhubarb rhubarb/)).toBeDefined();
    expect(screen.getByText("Only the first 200 kB are shown")).toBeDefined();
  });

  test("nothing of a text that is not what was sent is shown", async () => {
    const openFile = () => Promise.reject(Object.assign(new Error("changed"), { code: "file_tampered" }));
    scene = { ...scene, actions: { ...scene.actions, openFile } };
    await showList(sealed("notes.txt", "text/plain", 9));
    await userEvent.click(screen.getByRole("button", { name: "Look into notes.txt" }));
    expect((await screen.findByRole("alert")).textContent).toMatch(/^notes\.txt was changed on its way/);
  });

  test("one that nobody here can open has no name but that", async () => {
    await showList(attachment("encrypted", { content_type: "application/octet-stream", message_id: "m1" }));
    expect(screen.getByRole("group", { name: "Encrypted file" })).toBeDefined();
  });
});

describe("the lightbox", () => {
  const heading = (): string | null => screen.getByRole("dialog").getAttribute("aria-label");

  async function open(): Promise<void> {
    await showList(picture("a.jpg", 9, 9), picture("b.jpg", 9, 9), picture("c.jpg", 9, 9));
    await userEvent.click(screen.getByRole("button", { name: "Open b.jpg" }));
    await screen.findByRole("dialog");
  }

  test("a click opens the whole file of the picture that was clicked", async () => {
    await open();
    expect(heading()).toBe("Picture 2 of 3: b.jpg");
    expect(screen.getByRole("img", { name: "b.jpg" }).getAttribute("src")).toBe("blob:file/att-b.jpg");
  });

  test("arrows turn the page and stop at the ends", async () => {
    await open();
    fireEvent.keyDown(screen.getByRole("dialog"), { key: "ArrowRight" });
    fireEvent.keyDown(screen.getByRole("dialog"), { key: "ArrowRight" });
    expect(heading()).toBe("Picture 3 of 3: c.jpg");
    await userEvent.click(screen.getByRole("button", { name: "Previous picture" }));
    expect(heading()).toBe("Picture 2 of 3: b.jpg");
  });

  test("keys and buttons enlarge it, and another page begins whole", async () => {
    await open();
    const transform = (): string => screen.getByRole("img").style.transform;
    fireEvent.keyDown(screen.getByRole("dialog"), { key: "+" });
    expect(transform()).toContain("scale(1.5)");
    await userEvent.click(screen.getByRole("button", { name: "Zoom in" }));
    expect(transform()).toContain("scale(2.25)");
    fireEvent.keyDown(screen.getByRole("dialog"), { key: "0" });
    expect(transform()).toContain("scale(1)");
    fireEvent.keyDown(screen.getByRole("dialog"), { key: "+" });
    await userEvent.click(screen.getByRole("button", { name: "Next picture" }));
    expect(transform()).toContain("scale(1)");
  });

  test("the wheel and a double click enlarge it, too", async () => {
    await open();
    const image = screen.getByRole("img");
    fireEvent.wheel(image, { deltaY: -300 });
    expect(image.style.transform).toContain(`scale(${Math.E})`);
    fireEvent.doubleClick(image);
    expect(image.style.transform).toContain("scale(1)");
    fireEvent.doubleClick(image);
    expect(image.style.transform).toContain("scale(2.5)");
  });

  test("a finger that wipes turns the page", async () => {
    await open();
    const image = screen.getByRole("img");
    const at = (clientX: number) => ({ pointerId: 1, pointerType: "touch", button: 0, clientX, clientY: 0 });
    fireEvent.pointerDown(image, at(200));
    fireEvent.pointerMove(image, at(120));
    fireEvent.pointerUp(image, at(120));
    expect(heading()).toBe("Picture 3 of 3: c.jpg");
  });

  test("Escape closes it, and the focus is back on the picture", async () => {
    await open();
    fireEvent(screen.getByRole("dialog"), new Event("cancel", { cancelable: true }));
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Open b.jpg" }));
  });
});

describe("other files", () => {
  test("a file is saved under its own name, by the address of this moment", async () => {
    await showList(attachment("report.pdf", { content_type: "application/pdf", size: 48_151 }));
    expect(screen.getByText("48 kB")).toBeDefined();
    const clicked: string[] = [];
    vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
      clicked.push(`${this.download} from ${this.href}`);
    });
    await userEvent.click(screen.getByRole("button", { name: "Download report.pdf" }));
    expect(clicked).toEqual(["report.pdf from blob:file/att-report.pdf"]);
  });

  test("a text file can be looked into, the first 200 kB of it", async () => {
    const asked: unknown[] = [];
    vi.spyOn(globalThis, "fetch").mockImplementation(async (address, init) => {
      asked.push(address, new Headers(init?.headers).get("Range"));
      return new Response("x".repeat(300_000));
    });
    await showList(attachment("main.py", { content_type: "text/plain", size: 300_000 }));
    await userEvent.click(screen.getByRole("button", { name: "Look into main.py" }));
    const code = await screen.findByText(/^x+$/);
    expect(code.textContent).toHaveLength(200_000);
    expect(asked).toEqual(["blob:file/att-main.py", "bytes=0-199999"]);
    expect(screen.getByText("Only the first 200 kB are shown")).toBeDefined();
  });

  test("a text file that cannot be read says so", async () => {
    vi.spyOn(globalThis, "fetch").mockImplementation(async () => new Response("", { status: 404 }));
    await showList(attachment("main.py", { content_type: "text/plain" }));
    await userEvent.click(screen.getByRole("button", { name: "Look into main.py" }));
    expect(await screen.findByText("The file cannot be shown here")).toBeDefined();
  });

  test("a film has the browser's own controls, and its place before it has come", async () => {
    const container = await showList(attachment("a.mp4", { content_type: "video/mp4", width: 1920, height: 1080 }));
    const video = container.querySelector("video")!;
    expect(video.controls).toBe(true);
    expect(video.style.aspectRatio).toBe("1920 / 1080");
    fireEvent.error(video);
    await act(async () => undefined);
    fireEvent.error(container.querySelector("video")!);
    expect(screen.getByText(/^This browser cannot play a.mp4/)).toBeDefined();
    expect(screen.getByRole("button", { name: "Download a.mp4" })).toBeDefined();
  });
});

describe("sound", () => {
  const sound = attachment("song.mp3", { content_type: "audio/mpeg" });

  async function player(duration: number, of = sound): Promise<HTMLAudioElement> {
    const container = await showList(of);
    const audio = container.querySelector("audio")!;
    Object.defineProperty(audio, "duration", { value: duration, configurable: true });
    fireEvent.loadedMetadata(audio);
    return audio;
  }

  test("it plays and pauses by the same button", async () => {
    const audio = await player(90);
    const play = vi.spyOn(audio, "play").mockResolvedValue();
    await userEvent.click(screen.getByRole("button", { name: "Play song.mp3" }));
    expect(play).toHaveBeenCalledOnce();
    fireEvent.play(audio);
    expect(screen.getByRole("button", { name: "Pause song.mp3" })).toBeDefined();
  });

  test("it can be sought by a slider that says where it is", async () => {
    const audio = await player(90);
    const slider = screen.getByRole("slider", { name: "Position in song.mp3" });
    fireEvent.change(slider, { target: { value: "65" } });
    expect(audio.currentTime).toBe(65);
    expect(slider.getAttribute("aria-valuetext")).toBe("1:05 of 1:30");
  });

  test("it plays at 1, 1.5 and 2 times the speed", async () => {
    const audio = await player(90);
    const rates = [];
    for (let press = 0; press < 3; press++) {
      await userEvent.click(screen.getByRole("button", { name: /^Speed/ }));
      rates.push(audio.playbackRate);
    }
    expect(rates).toEqual([1.5, 2, 1]);
  });

  test("a recording that does not say how long it is is measured from its end", async () => {
    const audio = await player(Infinity);
    expect(audio.currentTime).toBeGreaterThan(1e9);
    Object.defineProperty(audio, "duration", { value: 12 });
    fireEvent.durationChange(audio);
    expect(audio.currentTime).toBe(0);
    expect(screen.getByText("0:00 / 0:12")).toBeDefined();
  });
});
