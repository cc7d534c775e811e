#!/usr/bin/env Rscript
# What was seen at which hour of the day (UTC), as a table and a plot:
#
#     sb-export csv labelled.sb | Rscript labels_by_hour.R hours.png
#
# Records need `time` (sb-frames --start-time and the like). Needs R alone.
seen <- read.csv(file("stdin"), na.strings = "", stringsAsFactors = FALSE)

# A label that a person gave comes before one that was predicted.
label <- ifelse(is.na(seen$label), seen$predicted_label, seen$label)
time <- as.POSIXct(seen$time, format = "%Y-%m-%dT%H:%M:%OSZ", tz = "UTC")
known <- !is.na(label) & !is.na(time)
if (!any(known)) stop("no record has a label and a time")

hours <- table(label[known], factor(as.POSIXlt(time[known])$hour, levels = 0:23))
print(hours[, colSums(hours) > 0, drop = FALSE])

png(commandArgs(trailingOnly = TRUE)[1], width = 900, height = 500)
colours <- hcl.colors(nrow(hours), "Dark 3")
barplot(hours, col = colours, border = NA, xlab = "hour, UTC", ylab = "records")
legend("topright", legend = rownames(hours), fill = colours, border = NA, bty = "n")
invisible(dev.off())
