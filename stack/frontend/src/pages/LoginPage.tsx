import { Link, Navigate, useSearchParams } from "react-router";
import { login } from "../api/shop";
import { usePageTitle } from "../lib/usePageTitle";
import { returnPath } from "../session/returnPath";
import { useSession } from "../session/sessionStore";
import { text, useCredentialsForm } from "../session/useCredentialsForm";
import { AuthCard } from "../ui/AuthCard";
import { Field } from "../ui/Field";

export function LoginPage() {
  usePageTitle("Entrar");
  const [params] = useSearchParams();
  const session = useSession();
  const { sending, error, onSubmit } = useCredentialsForm((data) => login(text(data, "email"), text(data, "password")));

  if (session) return <Navigate to={returnPath(params)} replace />;
  return (
    <AuthCard title="¡Qué gusto verte!" lead="Entra para hacer tu pedido y ver los anteriores.">
      <form onSubmit={onSubmit} className="form-stack">
        {error && (
          <p className="alert alert--bad" role="alert">
            {error}
          </p>
        )}
        <Field id="email" name="email" label="Correo" type="email" autoComplete="username" maxLength={254} />
        <Field id="password" name="password" label="Contraseña" type="password" autoComplete="current-password" maxLength={200} />
        <button type="submit" className="button button--large button--wide" disabled={sending}>
          {sending ? "Entrando…" : "Entrar"}
        </button>
      </form>
      <p>
        ¿Primera vez? <Link to={`/registro?${params}`}>Crea tu cuenta</Link>
      </p>
    </AuthCard>
  );
}
