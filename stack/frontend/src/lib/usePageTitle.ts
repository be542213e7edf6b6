import { useEffect } from "react";

export function usePageTitle(title: string | undefined): void {
  useEffect(() => {
    document.title = title ? `${title} · Paw Paw Torreón` : "Paw Paw Torreón: tienda de mascotas";
  }, [title]);
}
