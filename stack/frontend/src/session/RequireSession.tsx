import { Navigate, Outlet, useLocation } from "react-router";
import { loginPath } from "./returnPath";
import { useSession } from "./sessionStore";

export function RequireSession() {
  const session = useSession();
  const { pathname, search } = useLocation();
  return session ? <Outlet /> : <Navigate to={loginPath(pathname + search)} replace />;
}
