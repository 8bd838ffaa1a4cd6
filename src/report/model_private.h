/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef REPORT_MODEL_PRIVATE_H
#define REPORT_MODEL_PRIVATE_H

#include "report/model.h"

/* Parts of model_add(), a file for each kind of section. */

/* Copies at most cap - 1 bytes, whole characters only. */
void model_copy(char *dst, size_t cap, const char *src);
#define model_copy_field(dst, rec, name) model_copy(dst, sizeof(dst), record_str(rec, name, ""))

void model_take_event(struct model *m, const struct summary_record *rec);
void model_take_victim(struct model *m, const struct summary_record *rec);
void model_take_candidate(struct model *m, const struct summary_record *rec);
void model_take_task(struct model *m, const struct summary_record *rec);
void model_take_thread(struct model *m, const struct summary_record *rec);
void model_take_task_total(struct model *m, const struct summary_record *rec);
void model_take_log(struct model *m, const struct summary_record *rec);

#endif
