# SPDX-License-Identifier: MIT
# Read by cpack once per generator: a .deb belongs to /usr, a .tar.gz to wherever it is unpacked.
if(CPACK_GENERATOR STREQUAL "DEB")
	set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
else()
	set(CPACK_PACKAGING_INSTALL_PREFIX "")
	set(CPACK_STRIP_FILES ON) # debian.cmake does it the way Debian wants it
endif()
