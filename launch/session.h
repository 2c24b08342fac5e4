/* SPDX-License-Identifier: Apache-2.0 */
#ifndef LAUNCH_SESSION_H
#define LAUNCH_SESSION_H

#include "common/err.h"

/*
 * The session of the person at this terminal: a file of theirs alone (0600)
 * that `tollwatch login` writes and `tollwatch logout` removes,
 *
 *   $XDG_RUNTIME_DIR/tollwatch/session, else $HOME/.tollwatch/session
 */
enum { SESSION_HEX = 65, SESSION_PATH = 512 };

MUST_USE bool session_path(char out[SESSION_PATH], struct err *e);

/* Its token, 64 hex digits.  Refused when others can read it. */
MUST_USE bool session_token(char hex[SESSION_HEX], struct err *e);

#endif
