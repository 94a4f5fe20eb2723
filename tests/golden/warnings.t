# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is accepted but will not do all that was meant is told at `next` or `end`. It is no failure.

# A secret that is easy to guess.
A # config system auto-scale
A > set psksecret short
A > end
Warning: system auto-scale: psksecret has fewer than 16 characters

# It stays as it is: nothing more to say.
A # config system auto-scale
A > set hb-interval 5
A > end

# Piped, in the stream.
A | config system standalone-cluster
A | set psksecret "no better one"
A | end
v700b0066-FGT-A #<_>
v700b0066-FGT-A (standalone-cluster) #<_>
v700b0066-FGT-A (standalone-cluster) # Warning: system standalone-cluster: psksecret has fewer than 16 characters

v700b0066-FGT-A #<_>

# In a script, on standard error with the line that committed it.
A $ config system auto-scale
A $     set psksecret "a secret that is long enough"
A $ end
A $ config system standalone-cluster
A $     set psksecret other
A $ end
script:6: warning: system standalone-cluster: psksecret has fewer than 16 characters
