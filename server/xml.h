/*
 * xml.h - XML 1.0 into a buffer, escaped.
 *
 *     xml_open(&b, "entry", NULL);
 *     xml_element(&b, "title", alert->title);
 *     xml_open(&b, "link", "href", url, NULL);     attributes in pairs
 *     xml_close(&b, "link");
 *
 * Texts are UTF-8; characters that XML 1.0 cannot hold become U+FFFD. Names are ours.
 */
#ifndef FOLDWATCH_SERVER_XML_H
#define FOLDWATCH_SERVER_XML_H

#include "lib/buf.h"

void xml_open(struct buf *b, const char *name, ...) __attribute__((sentinel));
void xml_close(struct buf *b, const char *name);
void xml_text(struct buf *b, const char *text);
/* Nothing at all where the text is NULL. */
void xml_element(struct buf *b, const char *name, const char *text);

#endif
