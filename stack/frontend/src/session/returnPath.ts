const PARAM = "volver";

export function loginPath(returnTo: string): string {
  return `/entrar?${new URLSearchParams({ [PARAM]: returnTo })}`;
}

/** Where to go after login. Only paths of this shop: "//host" and "/\host" would leave it. */
export function returnPath(params: URLSearchParams): string {
  const path = params.get(PARAM) ?? "/";
  return /^\/(?![/\\])/.test(path) ? path : "/";
}
