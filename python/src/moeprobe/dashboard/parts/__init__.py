"""Parts of pages: what they show, with the callbacks behind it."""
