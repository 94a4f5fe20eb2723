/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The compatibility line that clients parse: the release of the command language that this shell
 * speaks, not the product's own version (PACKAGE_VERSION).
 */
#pragma once

#define VERSION_MODEL "GHVM64"
#define VERSION_PRODUCT "Gatehouse-VM64"
#define VERSION_RELEASE "7.4.0"
#define VERSION_BUILD "0001"
#define VERSION_DATE "261121"
