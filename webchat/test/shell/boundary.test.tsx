import { render, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { Boundary } from "../../src/shell/boundary.tsx";

function Broken(): never {
  throw new Error("broken");
}

test("a view that fails is replaced, and another place is tried anew", () => {
  vi.spyOn(console, "error").mockImplementation(() => undefined);
  const view = render(
    <Boundary place="/c/1" instead="failed">
      <Broken />
    </Boundary>,
  );
  expect(screen.getByText("failed")).toBeTruthy();
  view.rerender(
    <Boundary place="/c/2" instead="failed">
      fine
    </Boundary>,
  );
  expect(screen.getByText("fine")).toBeTruthy();
});
