/** What a caller is told: `code` is for programs, `message` is Spanish and may be shown. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
    this.code = code;
  }
}

/** The database or Redis cannot serve this request now; the same request may succeed in a moment. */
export class Unavailable extends ApiError {
  constructor(cause: unknown) {
    super(503, 'unavailable', 'El servicio no está disponible por el momento. Inténtalo de nuevo en unos segundos.', { cause });
  }
}

export const notFound = (what: string) => new ApiError(404, 'not_found', `No encontramos ${what}.`);
export const unauthorized = () => new ApiError(401, 'unauthorized', 'Inicia sesión para continuar.');
export const invalidRequest = (message: string) => new ApiError(400, 'invalid_request', message);
