"""`python -m kamp_lib.hub.portal`"""

from kamp_lib.hub.portal.service import main

main()
