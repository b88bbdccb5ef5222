import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The manifest is what Django's `{% vite_asset %}` reads; `base` is Django's STATIC_URL. */
export default defineConfig({
  base: "/static/",
  plugins: [react()],
  build: {
    outDir: "dist",
    manifest: "manifest.json",
    target: "es2023",
    sourcemap: false,
    // The page's CSP knows no data: fonts.
    assetsInlineLimit: 0,
    // One script: React, react-aria and the page; 175 kB on the wire.
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: { meeting: "src/meeting/main.tsx", site: "src/ui/site.css" } },
  },
  test: { include: ["tests/**/*.test.ts"], environment: "node" },
});
