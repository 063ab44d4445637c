"""Which work each row of a job is."""

from collections.abc import Mapping

from acmx.config import Xcap
from acmx.flows.provisioning import make_documents
from acmx.provisioning import profile, work
from acmx.provisioning.names import UE_AUID, Profile
from acmx.provisioning.xcap import Work, document_url
from acmx.provisioning.xml import parse
from acmx.storage.provisionings import UE, Job, Row


class RowWork:
    """The work of one job; its document is read, and its entries are made, once."""

    def __init__(self, profiles: Mapping[str, Profile], given: Xcap, job: Job) -> None:
        self._given = given
        self._job = job
        self._profiles = profiles
        self._entries = {}
        if job.document is not None:
            made = parse(job.document)
            self._entries = {
                service: profile.entry(names, job.mc_system_id, made)
                for service, names in self._profiles.items()
            }

    def capabilities(self) -> Work:
        """Whether the CMS knows what this job is about."""
        services = [service for service in self._job.services.split() if service in self._profiles]
        auids = [self._profiles[service].auid for service in services]
        return work.capabilities(self._given.root, auids + ([UE_AUID] if self._job.owner else []))

    def of(self, row: Row) -> Work:
        return self._of_document(row) if row.service == UE else self._of_profile(row)

    def _of_document(self, row: Row) -> Work:
        name = make_documents.file_name(self._job.partner)
        url = document_url(self._given.root, UE_AUID, row.xui, name)
        doubtful, document = bool(row.doubtful), self._job.document
        if document is None:
            return work.remove_document(url, doubtful=doubtful)
        if self._job.mode == "preview":
            return work.compare_document(url, document)
        return work.put_document(url, document, doubtful=doubtful)

    def _of_profile(self, row: Row) -> Work:
        names = self._profiles.get(row.service)
        if names is None:
            return work.give_up("this MC service is not provisioned here any more: [provisioning] services")
        file = names.file(self._given.profile_index)
        place = work.Place(document_url(self._given.root, names.auid, row.xui, file), names)
        doubtful, entry = bool(row.doubtful), self._entries.get(row.service)
        if row.gone and self._job.mode == "preview":
            return work.compare_removed(place, self._job.mc_system_id)
        if entry is None or row.gone:
            return work.remove_entry(place, self._job.mc_system_id, doubtful=doubtful)
        if self._job.mode == "preview":
            return work.compare_entry(place, entry)
        return work.put_entry(place, entry, doubtful=doubtful)
