# SPDX-License-Identifier: MIT
# Run by cpack on what was staged, before it becomes a package: what Debian's policy asks for beyond what `cmake --install` puts there.
if(NOT CPACK_GENERATOR STREQUAL "DEB")
	return()
endif()
set(share ${CPACK_TEMPORARY_DIRECTORY}/usr/share)
set(doc ${share}/doc/enomem)

function(compressed) # files, as gzip -9n makes them: the same bytes whenever
	execute_process(COMMAND gzip -9nf ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

file(GLOB_RECURSE programs ${CPACK_TEMPORARY_DIRECTORY}/usr/bin/* ${CPACK_TEMPORARY_DIRECTORY}/usr/libexec/*)
list(FILTER programs EXCLUDE REGEX "\\.(yaml|md|json)$")
execute_process(COMMAND strip --remove-section=.comment --remove-section=.note ${programs} COMMAND_ERROR_IS_FATAL ANY)

# CPack's own CPACK_DEBIAN_PACKAGE_SHLIBDEPS starts file(1) for each of the files, which takes longer than all the rest.
set(scratch ${CPACK_TOPLEVEL_DIRECTORY}/shlibdeps)
file(WRITE ${scratch}/debian/control "Source: enomem\n\nPackage: enomem\nArchitecture: any\n")
execute_process(COMMAND dpkg-shlibdeps -O ${programs} WORKING_DIRECTORY ${scratch} OUTPUT_VARIABLE libraries ERROR_VARIABLE told
	RESULT_VARIABLE failed OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT failed EQUAL 0 OR NOT libraries MATCHES "^shlibs:Depends=(.*)$")
	message(FATAL_ERROR "dpkg-shlibdeps did not tell the libraries:\n${told}")
endif()
string(APPEND CPACK_DEBIAN_PACKAGE_DEPENDS ", ${CMAKE_MATCH_1}")

file(GLOB pages ${share}/man/man*/*.[0-9])
if(pages)
	compressed(${pages})
endif()
file(COPY ${CPACK_ENOMEM_DEBIAN}/copyright DESTINATION ${doc})
configure_file(${CPACK_ENOMEM_DEBIAN}/changelog ${doc}/changelog.Debian COPYONLY)
file(RENAME ${doc}/NEWS.md ${doc}/changelog)
compressed(${doc}/changelog.Debian ${doc}/changelog)
file(REMOVE ${doc}/LICENSE) # is in copyright
configure_file(${CPACK_ENOMEM_DEBIAN}/lintian-overrides ${share}/lintian/overrides/enomem COPYONLY)
# Where Debian's zsh looks under /usr.
if(EXISTS ${share}/zsh/site-functions)
	file(RENAME ${share}/zsh/site-functions ${share}/zsh/vendor-completions)
endif()
file(GLOB_RECURSE files LIST_DIRECTORIES true ${CPACK_TEMPORARY_DIRECTORY}/usr/*)
foreach(file IN LISTS files)
	if(IS_DIRECTORY ${file})
		file(CHMOD ${file} PERMISSIONS ${CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
	elseif(file MATCHES "/usr/share/" OR file MATCHES "\\.(yaml|md|json)$")
		file(CHMOD ${file} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
	endif()
endforeach()
