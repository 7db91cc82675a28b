import { defineMiddleware, ForbiddenError, mwfilter } from 'kontract';

export default defineMiddleware([
  // A blocked visitor can read the book and not write into it.
  @mwfilter({ egroup: 'guestbook' })
  async (ctx, next) => {
    const visitor = await env.storage.visitors.get(ctx.owner);
    if (visitor?.blocked === true) {
      throw new ForbiddenError('this visitor can no longer write');
    }
    return next();
  },

  // Whatever a moderator does is on record.
  mwfilter({ egroup: 'moderation' }, async (ctx, next) => {
    console.info(JSON.stringify({ audit: ctx.endpoint, owner: ctx.owner, request: ctx.requestId }));
    return next();
  }),
]);
