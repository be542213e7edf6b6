import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const { VITE_API_PROXY = "http://backend:4000", SHOP_DOMAIN } = process.env;

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2022",
    // Inlined assets would be data: URLs, which the gateway's content policy need not allow.
    assetsInlineLimit: 0,
  },
  server: {
    // The production image listens on the same port, so the gateway's upstream is the same in both.
    host: true,
    port: 8080,
    strictPort: true,
    allowedHosts: ["frontend", ...(SHOP_DOMAIN ? [SHOP_DOMAIN] : [])],
    proxy: { "/api": { target: VITE_API_PROXY, changeOrigin: false } },
  },
  test: {
    environment: "jsdom",
    include: ["tests/**/*.test.{ts,tsx}"],
    setupFiles: ["tests/setup.ts"],
    restoreMocks: true,
    testTimeout: 30_000,
    unstubGlobals: true,
  },
});
