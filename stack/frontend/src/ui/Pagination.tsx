import { Link } from "react-router";

interface Props {
  page: number;
  pages: number;
  pathOf: (page: number) => string;
}

export function Pagination({ page, pages, pathOf }: Props) {
  if (pages <= 1) return null;
  return (
    <nav className="pagination" aria-label="Páginas">
      {page > 1 && (
        <Link className="pagination__step" rel="prev" to={pathOf(page - 1)}>
          Anterior
        </Link>
      )}
      <ol>
        {pageWindow(page, pages).map((n, index) => (
          <li key={n ?? `hueco-${index}`}>
            {n === undefined ? (
              <span aria-hidden="true">…</span>
            ) : (
              <Link to={pathOf(n)} aria-label={`Página ${n}`} aria-current={n === page ? "page" : undefined}>
                {n}
              </Link>
            )}
          </li>
        ))}
      </ol>
      {page < pages && (
        <Link className="pagination__step" rel="next" to={pathOf(page + 1)}>
          Siguiente
        </Link>
      )}
    </nav>
  );
}

/** First, last and the neighbours of the current page; undefined stands for a gap. */
export function pageWindow(page: number, pages: number): (number | undefined)[] {
  const shown = [...new Set([1, page - 1, page, page + 1, pages])].filter((n) => n >= 1 && n <= pages).sort((a, b) => a - b);
  return shown.flatMap((n, index) => {
    const before = shown[index - 1] ?? n - 1;
    if (n - before === 2) return [n - 1, n];
    return n - before > 2 ? [undefined, n] : [n];
  });
}
