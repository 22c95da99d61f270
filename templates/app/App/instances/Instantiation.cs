using System;
using System.Threading.Tasks;
using Altinn.App.Platform;
using Altinn.App.Processes;
using Altinn.App.Security;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Altinn.App.Instances
{
    /// <summary>Makes an instance for a party, as a whole or not at all.</summary>
    public class Instantiation
    {
        private readonly AppFiles files;
        private readonly PartyClient parties;
        private readonly DecisionClient decisions;
        private readonly StorageClient storage;
        private readonly ProcessEngine process;
        private readonly EventsClient events;
        private readonly PlatformSettings settings;
        private readonly ILogger<Instantiation> log;

        public Instantiation(AppFiles files, PartyClient parties, DecisionClient decisions, StorageClient storage, ProcessEngine process, EventsClient events, PlatformSettings settings, ILogger<Instantiation> log)
        {
            this.log = log;
            this.files = files;
            this.parties = parties;
            this.decisions = decisions;
            this.storage = storage;
            this.process = process;
            this.events = events;
            this.settings = settings;
        }

        public async Task<Instance> Run(HttpContext context, Caller caller, InstanceOwner owner)
        {
            ApplicationMetadata app = ApplicationMetadata.Read(files);
            Party party = await Find(caller, owner);
            if (!app.PartyTypesAllowed.Allow(party))
            {
                throw new Fault(403, "Forbidden", $"{app.Id} is not for parties like {party.Name}: see `partyTypesAllowed` in config/applicationmetadata.json.");
            }

            var template = new Instance
            {
                InstanceOwner = new InstanceOwner
                {
                    PartyId = party.PartyId.ToString(),
                    PersonNumber = party.Type == PartyType.Person ? party.Ssn : null,
                    OrganisationNumber = string.IsNullOrEmpty(party.OrgNumber) ? null : party.OrgNumber,
                    Username = party.Type == PartyType.SelfIdentified ? party.Name : null,
                },
                Process = process.Start(),
            };
            Instance made = await storage.Create(caller, app.Id, template);
            try
            {
                await process.Started(caller, made);
            }
            catch (Exception e) when (e is PlatformFault || e is Fault)
            {
                await Remove(caller, made);
                throw;
            }

            Instance whole = await storage.Get(caller, InstanceId.Of(made));
            await events.Publish(caller, "app.instance.created", whole, settings.AppUrl(context.Request, app));
            return whole;
        }

        private async Task Remove(Caller caller, Instance half)
        {
            try
            {
                await storage.Delete(caller, InstanceId.Of(half), hard: true);
            }
            catch (PlatformFault fault)
            {
                log.LogWarning("Instance {Instance} is incomplete and stays: {Reason}", half.Id, fault.Message);
            }
        }

        private async Task<Party> Find(Caller caller, InstanceOwner owner)
        {
            Party party;
            if (!string.IsNullOrEmpty(owner.PartyId))
            {
                int id = int.TryParse(owner.PartyId, out int number) ? number : throw Fault.BadRequest($"`{owner.PartyId}` is not the id of a party.");

                // Whom one may not act for is none of one's business; Authorization has the first word.
                await decisions.Demand(caller, "instantiate", id);
                party = await parties.Find(caller, id);
            }
            else if (owner.PersonNumber != null || owner.OrganisationNumber != null)
            {
                party = await parties.LookUp(caller, owner.PersonNumber, owner.OrganisationNumber);
                await decisions.Demand(caller, "instantiate", party?.PartyId ?? throw Fault.NotFound("There is no party of this number."));
            }
            else
            {
                throw Fault.BadRequest("The owner has neither `partyId` nor `personNumber` nor `organisationNumber`.");
            }

            return party ?? throw Fault.NotFound("There is no party of this id.");
        }
    }
}
