// `vite dev`: `kontract dev` beside it, its gateway behind Vite's proxy, its words in the page.

import type { Plugin, ProxyOptions, ViteDevServer } from 'vite';

import { Compiler, type CompilerEvent } from './compiler.js';
import type { Modules } from './modules.js';
import { type Shown, plain, shown } from './overlay.js';

/** Paths of the gateway (`docs/wire.md`). */
const GATEWAY = ['/raystream', '/auth', '/rpc', '/stream', '/health'];

/** What no page may be given, whatever Vite serves of the project besides; the first lines are Vite's own. */
const DENIED = [
  '.env', '.env.*', '*.{crt,pem,key,p12,pfx,cer,der}', '.npmrc', '.yarnrc.yml', '**/.git/**',
  '.dev.vars', '**/.kontract/!(client)/**', '**/dist/server/**', 'kontract.lock.json', '**/migrations/*.sql',
];

/** What a Worker is made of. */
const WORKER = /^(?:dist\/server|\.kontract\/(?:server|packages))\//;

/** Starts the compiler with the development server and ends it with it. */
export function serve(modules: () => Modules, command: () => { binary: string; args: string[] }): Plugin {
  const gateway = new Gateway();
  let session: Session | undefined;
  return {
    name: 'kontract:serve',
    apply: (_config, { command, isPreview }) => command === 'serve' && isPreview !== true,
    config: () => ({
      server: {
        proxy: Object.fromEntries(GATEWAY.map((path) => [`^${path}(?:[/?]|$)`, gateway.options()])),
        watch: { ignored: ['**/.kontract/**', '**/dist/**'] },
        fs: { deny: DENIED },
      },
      // One copy of the runtime, found before the first page asks for it.
      optimizeDeps: { include: ['kontract', 'kontract/client', 'kontract/wire'] },
    }),
    async configureServer(server) {
      const { binary, args } = command();
      session = new Session(server, modules(), gateway);
      await session.start(binary, args);
    },
    async closeBundle() {
      await session?.stop();
      session = undefined;
    },
  };
}

/** Where calls go, once that is known. */
class Gateway {
  #known!: (url: string) => void;
  #url = new Promise<string>((resolve) => (this.#known = resolve));

  options(): ProxyOptions {
    const options: ProxyOptions = {
      ws: true,
      // The gateway compares a page's origin with the host that it asks for.
      changeOrigin: false,
      configure: (_proxy, given) => void this.#url.then((url) => (given.target = url)),
      bypass: async () => {
        await this.#url;
        return undefined;
      },
    };
    return options;
  }

  open(url: string): void {
    this.#known(url);
  }
}

/** One run of `kontract dev`. */
class Session {
  #compiler: Compiler | undefined;
  #error: Shown | undefined;
  #stopping = false;

  constructor(
    private readonly server: ViteDevServer,
    private readonly modules: Modules,
    private readonly gateway: Gateway,
  ) {
    // A page that is opened while the project has errors is told as well.
    server.environments.client.hot.on('vite:client:connect', (_data, client) => {
      if (this.#error !== undefined) client.send({ type: 'error', err: this.#error });
    });
  }

  /** Until there is something to serve, or something to mend. */
  start(binary: string, args: string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const compiler = new Compiler(binary, args, undefined, (event) => {
        this.#hear(event);
        resolve();
      });
      this.#compiler = compiler;
      process.once('exit', () => compiler.abandon());
      compiler.ended.then((code) => {
        if (this.#stopping) return;
        const message = `kontract dev ended with ${code}; its words are in the terminal`;
        this.#show(plain(message));
        reject(new Error(message));
      }, reject);
    });
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#compiler?.stop();
  }

  #hear(event: CompilerEvent): void {
    switch (event.event) {
      case 'ready':
        this.gateway.open(event.url);
        this.#renew(this.modules.stubs);
        break;
      case 'rebuilt':
      case 'completed':
        this.#renew(this.#stale(event.changed));
        break;
      case 'diagnostics': {
        const errors = event.diagnostics.filter(({ severity }) => severity === 'error');
        if (errors.length > 0) this.#show(shown(this.modules.project, errors));
        break;
      }
      case 'error':
        this.#show(plain(event.message));
        break;
      case 'built':
      case 'stopped':
        break;
    }
  }

  #show(error: Shown): void {
    this.#error = error;
    this.server.environments.client.hot.send({ type: 'error', err: error });
  }

  /** What pages hold that a build made stale: changed files, and where server code changed, every stub. */
  #stale(changed: readonly string[]): string[] {
    const client = changed.filter((path) => path.startsWith('.kontract/client/') && path.endsWith('.js'));
    const files = client.map((path) => this.modules.generated(path.slice('.kontract/client/'.length)));
    const answers = changed.some((path) => WORKER.test(path) && !path.endsWith('.map'));
    this.modules.read();
    return answers ? [...new Set([...files, ...this.modules.stubs])] : files;
  }

  /** Lets pages load files anew, by hot replacement where they accept it. */
  #renew(files: readonly string[]): void {
    this.modules.read();
    const { client, ssr } = this.server.environments;
    if (this.#error !== undefined) {
      this.#error = undefined;
      client.hot.send({ type: 'update', updates: [] });
    }
    for (const file of files) {
      for (const module of ssr?.moduleGraph.getModulesByFile(file) ?? []) ssr?.moduleGraph.invalidateModule(module);
      for (const module of client.moduleGraph.getModulesByFile(file) ?? []) void client.reloadModule(module);
    }
  }
}
