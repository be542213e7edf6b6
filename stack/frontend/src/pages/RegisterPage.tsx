import { Link, Navigate, useSearchParams } from "react-router";
import { register } from "../api/shop";
import { usePageTitle } from "../lib/usePageTitle";
import { returnPath } from "../session/returnPath";
import { useSession } from "../session/sessionStore";
import { text, useCredentialsForm } from "../session/useCredentialsForm";
import { AuthCard } from "../ui/AuthCard";
import { Field } from "../ui/Field";

export function RegisterPage() {
  usePageTitle("Crear cuenta");
  const [params] = useSearchParams();
  const session = useSession();
  const { sending, error, onSubmit } = useCredentialsForm((data) =>
    register(text(data, "name").trim(), text(data, "email"), text(data, "password")),
  );

  if (session) return <Navigate to={returnPath(params)} replace />;
  return (
    <AuthCard title="Bienvenido a la manada" lead="Con tu cuenta guardamos tus pedidos. Es un minuto.">
      <form onSubmit={onSubmit} className="form-stack">
        {error && (
          <p className="alert alert--bad" role="alert">
            {error}
          </p>
        )}
        <Field id="name" name="name" label="Tu nombre" autoComplete="name" maxLength={120} />
        <Field id="email" name="email" label="Correo" type="email" autoComplete="username" maxLength={254} />
        <Field
          id="password"
          name="password"
          label="Contraseña"
          type="password"
          autoComplete="new-password"
          hint="Al menos 8 caracteres."
          minLength={8}
          maxLength={200}
        />
        <button type="submit" className="button button--large button--wide" disabled={sending}>
          {sending ? "Creando tu cuenta…" : "Crear cuenta"}
        </button>
      </form>
      <p>
        ¿Ya tienes cuenta? <Link to={`/entrar?${params}`}>Entra aquí</Link>
      </p>
    </AuthCard>
  );
}
