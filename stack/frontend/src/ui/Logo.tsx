import { LogoMark } from "../art/LogoMark";

export function Logo() {
  return (
    <span className="logo">
      <LogoMark />
      <span className="logo__text">
        Paw Paw <small>Torreón</small>
      </span>
    </span>
  );
}
