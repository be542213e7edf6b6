import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// jsdom neither scrolls nor draws.
window.scrollTo = () => undefined;
HTMLCanvasElement.prototype.getContext = () => null;

// A busy machine is slow, not wrong: the waits end as soon as what they wait for is there.
configure({ asyncUtilTimeout: 10_000 });

afterEach(() => {
  cleanup();
  localStorage.clear();
});
