// An identity that comes along with requests for pages, for projects whose Worker draws them.
import type { TokenStorage } from './types.js';

/** The cookie that holds the refresh token. */
export const IDENTITY_COOKIE = 'kontract-identity';

/** As long as a refresh token holds (`runtime/auth/src/limits.rs`). */
const MAX_AGE_S = 30 * 24 * 60 * 60;

/**
 * Keeps the refresh token in a cookie, for `kontract.configure({ storage: cookieStorage() })`: pages that the Worker draws
 * then call endpoints as their visitor. Other sites cannot send it but by links that are followed.
 */
export function cookieStorage(): TokenStorage {
  const put = (value: string, maxAge: number): void => {
    const secure = globalThis.location?.protocol === 'https:' ? '; Secure' : '';
    document.cookie = `${IDENTITY_COOKIE}=${value}; Path=/; Max-Age=${maxAge}; SameSite=Lax${secure}`;
  };
  return {
    getItem: () => {
      const prefix = `${IDENTITY_COOKIE}=`;
      const found = document.cookie.split(';').map((cookie) => cookie.trim()).find((cookie) => cookie.startsWith(prefix));
      return found === undefined || found === prefix ? null : found.slice(prefix.length);
    },
    setItem: (_key, value) => put(value, MAX_AGE_S),
    removeItem: () => put('', 0),
  };
}
