import type { ReactNode } from "react";
import { PetDuo } from "../art/scenes";

export function AuthCard({ title, lead, children }: { title: string; lead: string; children: ReactNode }) {
  return (
    <div className="wrap auth">
      <div className="auth__art">
        <PetDuo />
      </div>
      <div className="auth__form">
        <h1>{title}</h1>
        <p className="auth__lead">{lead}</p>
        {children}
      </div>
    </div>
  );
}
