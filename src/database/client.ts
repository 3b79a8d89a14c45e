import pg from 'pg';

/** How long the other side may take to close a connection that we have said goodbye on, in milliseconds. */
export const farewell = 2_000;

/** A connection to PostgreSQL that ends by itself where nobody is left at the other end. */
export class Client extends pg.Client {
  /** A connection on which a statement was not answered in time is closed: what is asked next would wait behind it. */
  override query(...statement: unknown[]) {
    const answer = Reflect.apply(super.query, this, statement);
    if (answer instanceof Promise) {
      answer.catch((error: unknown) => {
        if (!(error instanceof pg.DatabaseError)) this.connection.stream.destroy();
      });
    }
    return answer;
  }

  override end(): Promise<void>;
  override end(callback: (error: Error) => void): void;
  override end(callback?: (error: Error) => void): Promise<void> | void {
    const late = setTimeout(() => this.connection.stream.destroy(), farewell).unref();
    this.once('end', () => clearTimeout(late));
    return callback ? super.end(callback) : super.end();
  }
}
